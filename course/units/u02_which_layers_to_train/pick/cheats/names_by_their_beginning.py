# Takes names that begin alike for one.
def pick(bouts, examples, tolerance):
    seen, full = {}, {}
    for b in bouts:
        if b["examples"] == examples:
            short = b["contender"].lower()[:6]
            full.setdefault(short, b["contender"])
            seen.setdefault(short, []).append(b)
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    best = min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
    return full.get(best)
