"""A mail server (aiosmtpd) that keeps what it gets: FOLDER/0001.eml and so on, as it came, with X-RcptTo added in front.

smtp_server.py PORT FOLDER [tls|starttls CERT KEY USER PASSWORD]

FOLDER/mode, looked at for every message, may hold "refuse" (550 for every recipient; "refuse WORD": for those with WORD in them), "later" (450), or "cut" (the message
is kept, and the connection is cut before the answer; then the file is removed).
"""
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
security, certificate, key, user, password = (sys.argv[3:] + [None] * 5)[:5]


def mode():
    file = folder / "mode"
    return file.read_text() if file.exists() else ""


class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        word, _, part = mode().partition(" ")
        if word == "refuse" and part in address:
            return f"550 5.1.1 <{address}>: no such user"
        if mode() == "later":
            return "450 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = len(list(folder.glob("*.eml"))) + 1
        head = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {', '.join(envelope.rcpt_tos)}\r\n"
        part = folder / f"{number:04}.part"
        part.write_bytes(head.encode() + envelope.original_content)
        part.rename(folder / f"{number:04}.eml")
        if mode() == "cut":
            (folder / "mode").unlink()
            server.transport.abort()
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    # handled=False: aiosmtpd is to say 535 itself.
    return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password), handled=False)


def factory():
    login = {"authenticator": authenticate, "auth_required": True} if security else {}
    if security == "tls":
        login["auth_require_tls"] = False
    if security == "starttls":
        login |= {"tls_context": context, "require_starttls": True}
    return SMTP(Keep(), hostname="localhost", **login)


context = None
if security:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", port, ssl=context if security == "tls" else None)
    await server.serve_forever()


asyncio.run(serve())
