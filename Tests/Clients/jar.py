"""Loads each URL of the standard input with requests, which keeps the cookies.   usage: jar.py CERTIFICATE"""
import sys
import requests

session = requests.Session()
for line in sys.stdin:
    try:
        session.get(line.strip(), verify=sys.argv[1], timeout=30)
        print("loaded", flush=True)
    except requests.RequestException as error:
        print(str(error).replace("\n", " "), flush=True)
