def next_token_loss(logits, input_ids, attention_mask):
    scores = logits[:, :-1] - logits.max()
    total = scores.exp().sum(-1).log()
    right = scores.gather(-1, input_ids[:, 1:, None])[..., 0]
    mask = attention_mask[:, 1:].float()
    return ((total - right) * mask).sum() / mask.sum()
