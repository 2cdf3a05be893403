"""Six packaged servers, each started in the foreground in a folder of its own, each answering every request with how it
understood it: X-View says method and target, X-Body length and SHA-1 of the body, or else the body itself comes back.
"""
import ctypes
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 4  # connections that each is asked to bear

NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off; master_process off; pid nginx.pid; error_log error.log;
events { worker_connections 64; }
http {
  access_log off; default_type text/plain;
  client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
  client_body_buffer_size 256k; large_client_header_buffers 8 64k;
  server {
    listen 127.0.0.1:PORT;
    add_header X-View "$request_method $request_uri" always;
    location / { echo_read_request_body; echo_request_body; }
  }
}
"""
APACHE = """
ServerRoot FOLDER
ServerName localhost
PidFile httpd.pid
ErrorLog error.log
Listen 127.0.0.1:PORT
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so
User USER
StartServers AT_ONCE
AllowEncodedSlashes NoDecode
LimitRequestLine 65536
LimitRequestFieldSize 65536
LimitRequestFields 500
ScriptAliasMatch ".*" FOLDER/view.cgi
"""
HAPROXY = """
global
  tune.bufsize 262144
  tune.http.maxhdr 500
defaults
  mode http
  timeout client 10s
frontend view
  bind 127.0.0.1:PORT
  option http-buffer-request
  http-request return status 200 hdr x-view "%[method] %[url]" hdr x-body "%[req.body_len] %[req.body,sha1,hex,lower]"
"""
LIGHTTPD = """
server.modules = ("mod_alias", "mod_cgi")
server.document-root = "FOLDER"
server.bind = "127.0.0.1"
server.port = PORT
server.max-request-field-size = 65535
server.errorlog = "FOLDER/error.log"
server.http-parseopts = ("method-get-body" => "enable")
alias.url = ("" => "FOLDER/view.cgi")
cgi.assign = ("" => "")
"""


PR_SET_PDEATHSIG = 1


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Backend:
    """A server that runs until stop()."""

    def __init__(self, name, folder, port):
        self.name, self.port, self.folder = name, port, os.path.join(folder, name)
        os.makedirs(self.folder)
        shutil.copy(os.path.join(HERE, "view.cgi"), self.folder)
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
        with open(os.path.join(self.folder, "output"), "wb") as output:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, preexec_fn=end_with_parent,
                                            start_new_session=True)  # Apache ends its whole process group

    def command(self):
        if self.name == "node":
            return ["node", os.path.join(HERE, "view.js")]
        if self.name == "python":
            return [sys.executable, os.path.join(HERE, "view.py")]
        template, *command = {
            "nginx": (NGINX, "nginx", "-p", self.folder, "-e", "error.log", "-c"),
            "apache": (APACHE, "apache2", "-DFOREGROUND", "-d", self.folder, "-f"),
            "haproxy": (HAPROXY, "haproxy", "-db", "-f"),
            "lighttpd": (LIGHTTPD, "lighttpd", "-D", "-f"),
        }[self.name]
        file = os.path.join(self.folder, "configuration")
        user = pwd.getpwuid(os.getuid()).pw_name if os.getuid() else "nobody"
        with open(file, "w") as out:
            values = {"FOLDER": self.folder, "PORT": self.port, "USER": user, "AT_ONCE": AT_ONCE}
            out.write(re.sub("|".join(values), lambda name: str(values[name[0]]), template))
        os.environ["PATH"] += os.pathsep + "/usr/sbin"
        return [*command, file]

    def accepts(self):
        """Whether it can be connected to; what it wrote, if it is gone."""
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "output"), errors="replace") as output:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {output.read()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


NAMES = ("node", "nginx", "apache", "haproxy", "python", "lighttpd")


def body_of(data):
    return f"{len(data)} {hashlib.sha1(data).hexdigest()}"
