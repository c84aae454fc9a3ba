def contrastive_loss(image, text, objects, log_scale):
    image, text = image / image.norm(dim=1, keepdim=True), text / text.norm(dim=1, keepdim=True)
    scores = log_scale.exp() * image @ text.T
    right = (objects[:, None] == objects[None, :]).float()
    shares = right / right.sum(1, keepdim=True)
    rows = -(shares * scores.log_softmax(1)).mean()
    columns = -(shares * scores.T.log_softmax(1)).mean()
    return (rows + columns) / 2
