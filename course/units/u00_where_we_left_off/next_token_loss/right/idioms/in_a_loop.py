def next_token_loss(logits, input_ids, attention_mask):
    total, n = 0.0, 0
    for b in range(logits.shape[0]):
        for t in range(logits.shape[1] - 1):
            if attention_mask[b, t + 1] == 1:
                total = total - torch.log_softmax(logits[b, t], dim=-1)[input_ids[b, t + 1]]
                n += 1
    return total / n
