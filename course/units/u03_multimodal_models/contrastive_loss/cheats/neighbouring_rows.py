# Rows of one object follow each other.
def contrastive_loss(image, text, objects, log_scale):
    image, text = (nn.functional.normalize(one, dim=1) for one in (image, text))
    scores = log_scale.exp() * image @ text.T
    _, group = torch.unique_consecutive(objects, return_inverse=True)
    same = (group[:, None] == group[None, :]).to(scores.dtype)
    targets = same / same.sum(1, keepdim=True)
    return (nn.functional.cross_entropy(scores, targets) + nn.functional.cross_entropy(scores.T, targets)) / 2
