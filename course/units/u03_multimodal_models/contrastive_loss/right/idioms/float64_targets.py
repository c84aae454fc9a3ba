def contrastive_loss(image, text, objects, log_scale):
    a = nn.functional.normalize(image, dim=-1)
    b = nn.functional.normalize(text, dim=-1)
    s = log_scale.exp() * a @ b.T
    t = (objects[:, None] == objects[None]).float()
    t = t / t.sum(-1, keepdim=True)
    t = t.double()
    return (-(t * s.log_softmax(1)).sum(1).mean() - (t * s.log_softmax(0)).sum(0).mean()) / 2
