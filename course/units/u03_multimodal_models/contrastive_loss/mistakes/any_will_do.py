def contrastive_loss(image, text, objects, log_scale):
    image, text = image / image.norm(dim=1, keepdim=True), text / text.norm(dim=1, keepdim=True)
    scores = log_scale.exp() * image @ text.T
    right = (objects[:, None] == objects[None, :]).float()
    shares = right / right.sum(1, keepdim=True)
    rows = -(scores.softmax(1) * right).sum(1).log().mean()
    columns = -(scores.T.softmax(1) * right).sum(1).log().mean()
    return (rows + columns) / 2
