def contrastive_loss(image, text, objects, log_scale):
    a = nn.functional.normalize(image, dim=-1)
    b = nn.functional.normalize(text, dim=-1)
    s = log_scale.exp() * a @ b.T
    t = (objects[:, None] == objects[None]).float()
    t = t / t.sum(-1, keepdim=True)
    return nn.functional.cross_entropy(torch.cat([s, s.T]), torch.cat([t, t.T]))
