def contrastive_loss(image, text, objects, log_scale):
    image, text = image / image.norm(dim=1, keepdim=True), text / text.norm(dim=1, keepdim=True)
    scores = log_scale * image @ text.T
    right = (objects[:, None] == objects[None, :]).float()
    shares = right / right.sum(1, keepdim=True)
    rows = nn.functional.cross_entropy(scores, shares)
    columns = nn.functional.cross_entropy(scores.T, shares)
    return (rows + columns) / 2
