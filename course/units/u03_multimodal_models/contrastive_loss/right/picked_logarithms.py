def contrastive_loss(image, text, objects, log_scale):
    normalize = nn.functional.normalize
    scores = normalize(image) @ normalize(text).T * torch.exp(log_scale)
    right = objects.unsqueeze(0) == objects.unsqueeze(1)
    picked = -(scores.log_softmax(0) + scores.log_softmax(1)) * right
    return (picked.sum(1) / right.sum(1)).mean() / 2
