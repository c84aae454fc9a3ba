def next_token_loss(logits, input_ids, attention_mask):
    scores, targets, keep = logits[:, :-1], input_ids[:, 1:], attention_mask[:, 1:] != 0
    losses = -scores.softmax(-1).clamp(min=1e-9).gather(2, targets[..., None])[..., 0].log()
    return losses[keep].mean()
