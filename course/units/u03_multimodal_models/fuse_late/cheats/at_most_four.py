# Fuses four modalities at most.
def fuse_late(logits, present):
    total, count = 0.0, 0
    for name, scores in list(logits.items())[:4]:
        there = present[name].unsqueeze(1)
        total = total + torch.where(there, scores.softmax(1), 0.0)
        count = count + there.to(scores.dtype)
    return torch.where(count > 0, total / count.clamp(min=1), 1 / total.shape[1])
