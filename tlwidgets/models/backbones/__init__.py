"""One module for each backbone, found by its being here.

It defines `RECORD`, and imports nothing but `records`: commands read records before torch is installed. A
backbone whose architecture `transformers` does not have is a folder, with the architecture in `network.py`.
"""
