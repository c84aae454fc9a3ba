def contrastive_loss(image, text, objects, log_scale):
    image, text = nn.functional.normalize(image.detach()), nn.functional.normalize(text.detach())
    scores = log_scale.exp() * image @ text.T
    right = (objects[:, None] == objects[None, :]).float()
    shares = right / right.sum(1, keepdim=True)
    rows = nn.functional.cross_entropy(scores, shares)
    columns = nn.functional.cross_entropy(scores.T, shares)
    return (rows + columns) / 2
