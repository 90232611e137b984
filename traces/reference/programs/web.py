import io, string, urllib.parse, html, json
from wsgiref.util import setup_testing_defaults
from wsgiref.handlers import SimpleHandler
PAGE = string.Template("<html><h1>$title</h1><ul>$items</ul><p>$user</p></html>")
def app(environ, start_response):
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
    user = query.get("user", ["?"])[0]
    rows = [{"id": i, "name": f"{user}-{i}", "tags": [str(i), user]} for i in range(40)]
    if environ["PATH_INFO"].endswith(".json"):
        body = json.dumps(rows).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    items = "".join("<li>" + html.escape(r["name"]) + "</li>" for r in rows)
    body = PAGE.substitute(title="x", items=items, user=html.escape(user)).encode()
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
    return [body]
for n in range(300):
    env = {"PATH_INFO": "/list.json" if n % 3 else "/page", "QUERY_STRING": urllib.parse.urlencode({"user": "u%d" % n, "q": "a b"})}
    setup_testing_defaults(env)
    out = io.BytesIO()
    SimpleHandler(io.BytesIO(), out, io.StringIO(), env).run(app)
