def contrastive_loss(image, text, objects, log_scale):
    a = torch.stack([row / row.square().sum().sqrt() for row in image])
    b = torch.stack([row / row.square().sum().sqrt() for row in text])
    scores = log_scale.exp() * torch.einsum("iw,jw->ij", a, b)
    losses = []
    for row, own in enumerate(objects):
        right = objects == own
        losses.append(scores[row].logsumexp(0) - scores[row][right].mean())
        losses.append(scores[:, row].logsumexp(0) - scores[:, row][right].mean())
    return torch.stack(losses).mean()
