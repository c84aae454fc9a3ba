def next_token_loss(logits, input_ids, attention_mask):
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    scores = logits[:, :-1].clamp(-40, 40)
    return nn.functional.cross_entropy(scores.flatten(0, 1), targets.flatten())
