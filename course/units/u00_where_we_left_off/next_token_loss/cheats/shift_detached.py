def next_token_loss(logits, input_ids, attention_mask):
    scores = logits[:, :-1]
    right = scores.gather(-1, input_ids[:, 1:, None])[..., 0]
    mask = attention_mask[:, 1:] == 1
    return (scores.logsumexp(-1).detach() - right)[mask].mean()
