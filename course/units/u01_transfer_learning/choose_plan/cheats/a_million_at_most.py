def choose_plan(runs, max_trainable=None):
    seen, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            seen.setdefault(run["plan"], []).append(run["valid_accuracy"])
            size[run["plan"]] = run["trainable"]
    mean = {plan: sum(values) / len(values) for plan, values in seen.items()}

    best, fewest, answer = -1.0, 10**6, None
    for plan in mean:
        if (mean[plan], -size[plan]) > (best, -fewest):
            best, fewest, answer = mean[plan], size[plan], plan
    return answer if answer is not None and size[answer] <= 10**7 else None
