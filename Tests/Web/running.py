"""A server of one of the small examples, in a folder of its own and with nothing in its environment but what is said here."""
import http.client
import os
import subprocess

from shop import free_ports, wait_for


class Running:
    def __init__(self, binary, folder, port=None, **environment):
        self.port = port or free_ports(1)[0]
        self.host = f"127.0.0.1:{self.port}"
        self.output = os.path.join(folder, f"{os.path.basename(binary)}-{self.port}.log")
        with open(self.output, "wb") as file:
            self.process = subprocess.Popen([binary], cwd=folder, stdout=file, stderr=file, env={"PORT": str(self.port), **environment})
        try:
            wait_for(self.port)
        except BaseException:
            self.process.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def log(self):
        with open(self.output) as file:
            return file.read()

    def ask(self, path="/", method="GET", **headers):
        """The response, with its body as `text` and its Set-Cookie lines as `cookies`. In a header's name `_` is `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.text = response.read().decode()
        response.cookies = response.headers.get_all("Set-Cookie") or []
        connection.close()
        return response
