# Reads a result by the places of its values.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        name, size, _, valid, _, seconds = list(b.values())[:6]
        if size == examples:
            seen.setdefault(name, []).append((valid, seconds))
    acc = {n: sum(v for v, _ in r) / len(r) for n, r in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    return min(good, key=lambda n: sum(s for _, s in seen[n]) / len(seen[n]), default=None)
