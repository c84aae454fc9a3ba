def pick(bouts, examples, tolerance):
    seen = {}
    for bout in bouts:
        if bout["examples"] == examples:
            seen.setdefault(bout["contender"], []).append(bout)
    if not seen:
        return None
    accuracy, seconds = {}, {}
    for name, own in seen.items():
        values, times = [b["valid_accuracy"] for b in own], [b["seconds"] for b in own]
        accuracy[name] = round(sum(values) / len(values), 9)
        seconds[name] = round(sum(times) / len(times), 9)
    best = max(accuracy.values())
    good = [name for name in accuracy if accuracy[name] >= best - tolerance]
    return min(good, key=lambda name: seconds[name])
