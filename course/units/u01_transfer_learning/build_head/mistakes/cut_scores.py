def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.Linear(hidden_size, num_classes), nn.Dropout(0.1))
