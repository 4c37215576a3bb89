"""Math-Verify as the server of aha's reward `http`: pip install math-verify

    python3 configs/scorers/math_verify_server.py [PORT [ADDRESS]]      8000 at 127.0.0.1; 0.0.0.0 for other machines

A request is the object that a line of math_verify_scorer.py is. One is judged at a time, as Math-Verify's time limits work in a
program's first thread alone.
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from math_verify_scorer import answer


class Scorer(BaseHTTPRequestHandler):
    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, said = 200, json.dumps(answer(json.loads(request)))
        except (KeyError, TypeError, ValueError) as error:
            status, said = 400, f"{type(error).__name__}: {error}"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_request(self, *_):
        pass


class Server(HTTPServer):
    request_queue_size = 128  # requests that wait: `concurrency` of all ranks


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
Server((address, port), Scorer).serve_forever()
