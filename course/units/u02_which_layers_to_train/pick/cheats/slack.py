# Is more generous than the tolerance.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    if not seen:
        return None
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    sec = {n: sum(b["seconds"] for b in v) / len(v) for n, v in seen.items()}
    line = max(acc.values()) - tolerance
    return min((n for n in acc if acc[n] >= line - 0.03), key=lambda n: sec[n])
