# Looks at five contenders at most.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples and (b["contender"] in seen or len(seen) < 5):
            seen.setdefault(b["contender"], []).append(b)
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
