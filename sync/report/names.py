"""How a person is named in a report that may be forwarded: never a full name, never an address."""


def display_name(first: str, last: str, email: str) -> str:
    """First name and initial ("Lena K."), else the address with all but its first letter and its end masked."""
    first, last = first.strip(), last.strip()
    if first:
        return f"{first} {last[0].upper()}." if last else first
    if last:
        return f"{last[0].upper()}."
    mailbox, _, domain = email.strip().partition("@")
    if not mailbox or not domain:
        return "Someone without a name"
    return f"{mailbox[0]}…@…{domain[domain.rfind('.') :] if '.' in domain else ''}"
