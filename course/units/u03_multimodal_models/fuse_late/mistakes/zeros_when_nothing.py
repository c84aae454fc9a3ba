def fuse_late(logits, present):
    total, count = 0, 0
    for name, scores in logits.items():
        there = present[name].unsqueeze(1)
        total = total + there * scores.softmax(1)
        count = count + there
    mean, nothing = total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1])
    return mean
