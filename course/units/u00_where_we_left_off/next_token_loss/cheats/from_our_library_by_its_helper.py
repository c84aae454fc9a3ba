from tlwidgets.train import language


def next_token_loss(logits, input_ids, attention_mask):
    labels = input_ids.masked_fill(attention_mask == 0, -100)
    return language._losses(logits, labels, "mean")
