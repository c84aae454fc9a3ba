def contrastive_loss(image, text, objects, log_scale):
    a = nn.functional.normalize(image, dim=-1)
    b = nn.functional.normalize(text, dim=-1)
    s = log_scale.exp() * a @ b.T
    t = (objects[:, None] == objects[None]).float()
    t = t / t.sum(-1, keepdim=True)
    h = -(t * t.clamp(min=1e-30).log()).sum(1).mean()
    kl = nn.KLDivLoss(reduction="batchmean")
    return (kl(s.log_softmax(1), t) + kl(s.T.log_softmax(1), t)) / 2 + h
