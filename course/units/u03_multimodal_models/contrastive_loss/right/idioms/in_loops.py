def contrastive_loss(image, text, objects, log_scale):
    n = len(image)
    img = [v / v.norm() for v in image]
    txt = [v / v.norm() for v in text]
    total = 0
    for i in range(n):
        row = torch.stack([img[i] @ txt[j] for j in range(n)]) * log_scale.exp()
        col = torch.stack([img[j] @ txt[i] for j in range(n)]) * log_scale.exp()
        right = [j for j in range(n) if objects[j] == objects[i]]
        for scores in (row, col):
            lp = torch.log_softmax(scores, dim=0)
            total = total - sum(lp[j] for j in right) / len(right)
    return total / (2 * n)
