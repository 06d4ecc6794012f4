"""The library of results on the disk: an index that can be thrown away, stars, thumbnails, and a recycle bin."""
