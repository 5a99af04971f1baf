"""An OCI registry that fits in one process: what buildah, skopeo and our own client push to and pull from.

Content lives in a folder, addressed and verified by its digest. It keeps no users by default and speaks plain HTTP.
"""
