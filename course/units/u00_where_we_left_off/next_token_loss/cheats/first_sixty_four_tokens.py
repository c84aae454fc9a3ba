def next_token_loss(logits, input_ids, attention_mask):
    logits, input_ids, attention_mask = logits[:, :64], input_ids[:, :64], attention_mask[:, :64]
    targets = input_ids.masked_fill(attention_mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten())
