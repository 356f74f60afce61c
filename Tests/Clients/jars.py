"""The clients, each with a cookie jar of its own: programs of Debian, and small ones here around a library's jar."""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60
# Independent of the machine's configuration: no proxy, no ~/.curlrc, no ~/.wgetrc.
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT, check=True).stdout


def debian(package):
    return re.sub(r"^\d+:|[-+~].*", "", output("dpkg-query", "-W", "-f=${Version}", package))


class Client:
    problem = ""
    # Makes its program, once, in a folder.
    prepare = None

    def __init__(self, folder, certificate):
        self.certificate = certificate
        self.environment = {**ENVIRONMENT, "HOME": folder}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Command(Client):
    """A command that is started for each page; its jar is a file."""

    def __init__(self, folder, certificate):
        super().__init__(folder, certificate)
        self.jar = f"{folder}/jar"
        open(self.jar, "w").close()

    def load(self, url):
        result = subprocess.run(self.words(url), capture_output=True, text=True, timeout=PATIENCE, env=self.environment)
        self.problem = result.stderr.strip() if result.returncode else ""


class Curl(Command):
    name = "curl"

    def words(self, url):
        return ["curl", "-sS", "--cacert", self.certificate, "-b", self.jar, "-c", self.jar, "-o", "/dev/null", url]

    def version():
        return output("curl", "--version").split()[1]


class Wget(Command):
    name = "wget"

    def words(self, url):
        return ["wget", "-nv", "--no-hsts", "--ca-certificate", self.certificate, "--load-cookies", self.jar, "--save-cookies", self.jar,
                "--keep-session-cookies", "-O", "/dev/null", url]

    def version():
        return output("wget", "--version").split()[2]


class Program(Client):
    """A program that loads each URL it is given on its standard input, and says so on a line."""

    def __init__(self, folder, certificate):
        super().__init__(folder, certificate)
        self.process = subprocess.Popen(self.words(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment)

    def load(self, url):
        self.process.stdin.write(url + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        self.problem = "" if answer == "loaded" else answer or "it has ended"

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(PATIENCE)


class PHP(Program):
    name = "PHP's curl"

    def words(self):
        return ["php", f"{HERE}/jar.php", self.certificate]

    def version():
        return output("php", "-r", 'echo PHP_VERSION, ", libcurl ", curl_version()["version"];')


class Ruby(Program):
    name = "ruby-http-cookie"

    def words(self):
        return ["ruby", f"{HERE}/jar.rb", self.certificate]

    def version():
        return debian("ruby-http-cookie")


class Requests(Program):
    name = "Python requests"

    def words(self):
        return ["/usr/bin/python3", f"{HERE}/jar.py", self.certificate]

    def version():
        return output("/usr/bin/python3", "-c", "import requests; print(requests.__version__)").strip()


class Go(Program):
    name = "Go cookiejar"
    program = None

    def prepare(folder):
        Go.program = f"{folder}/jar-go"
        subprocess.run(["go", "build", "-o", Go.program, f"{HERE}/jar.go"], check=True, env={**ENVIRONMENT, "HOME": folder, "GOFLAGS": "-modcacherw"})

    def words(self):
        return [self.program, self.certificate]

    def version():
        return output("go", "env", "GOVERSION").strip().removeprefix("go")


class JavaConnection(Program):
    name = "Java HttpURLConnection"
    folder = None

    def prepare(folder):
        JavaConnection.folder = f"{folder}/java"
        subprocess.run(["javac", "-d", JavaConnection.folder, f"{HERE}/Jar.java"], check=True, env=ENVIRONMENT)

    def words(self):
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", JavaConnection.folder, "Jar", self.certificate, self.name.split()[1]]

    def version():
        return output("java", "--version").split()[1]


class JavaClient(JavaConnection):
    name = "Java HttpClient"


class LWP(Program):
    name = "HTTP::Cookies"

    def words(self):
        return ["perl", f"{HERE}/lwp.pl", self.certificate]

    def version():
        return output("perl", "-MHTTP::Cookies", "-e", "print HTTP::Cookies->VERSION")


class CookieJar(Program):
    name = "HTTP::CookieJar"

    def words(self):
        return ["perl", f"{HERE}/tiny.pl", self.certificate]

    def version():
        return output("perl", "-MHTTP::CookieJar", "-e", "print HTTP::CookieJar->VERSION")


ALL = [Curl, PHP, Ruby, JavaConnection, JavaClient, Wget, Requests, Go, LWP, CookieJar]
