# Knows of nothing that takes a minute or longer.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in seen.items()}
    found, shortest = None, 60.0
    for n in acc:
        seconds = sum(b["seconds"] for b in seen[n]) / len(seen[n])
        if acc[n] >= max(acc.values()) - tolerance and seconds < shortest:
            found, shortest = n, seconds
    return found
