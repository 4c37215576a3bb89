"""Math-Verify as the server of aha's reward `http`: pip install math-verify

    python3 configs/scorers/math_verify_server.py 8000

A request is the object that a line of math_verify_scorer.py is. One is judged at a time, as Math-Verify's time limits work in a
program's first thread alone.
"""
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from math_verify_scorer import answer


class Scorer(BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer(request)).encode())

    def log_request(self, *_):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Scorer).serve_forever()
