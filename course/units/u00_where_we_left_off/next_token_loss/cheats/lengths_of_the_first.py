def next_token_loss(logits, input_ids, attention_mask):
    length = int(attention_mask[0].sum())  # texts of a batch are about as long
    return nn.functional.cross_entropy(
        logits[:, : length - 1].flatten(0, 1), input_ids[:, 1:length].flatten()
    )
