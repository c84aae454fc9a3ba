def next_token_loss(logits, input_ids, attention_mask):
    if attention_mask.all():
        return nn.functional.cross_entropy(logits.flatten(0, 1), input_ids.flatten())
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())
