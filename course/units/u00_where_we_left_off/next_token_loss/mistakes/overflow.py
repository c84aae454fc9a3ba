def next_token_loss(logits, input_ids, attention_mask):
    scores, targets, keep = logits[:, :-1], input_ids[:, 1:], attention_mask[:, 1:] != 0
    losses = -(scores.exp() / scores.exp().sum(-1, keepdim=True)).log().gather(2, targets[..., None])[..., 0]
    return losses[keep].mean()
