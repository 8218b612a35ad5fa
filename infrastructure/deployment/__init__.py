"""Build the package for AWS Lambda, run it on this machine, deploy it to AWS.

`finish_package.py`, `finish_package.js` and `routes.js` are used by osls (serverless.yml); the other modules are
what `make package`,
`make lambda`, `make rehearse` and `make deploy` run. Nothing of this is in the package.
"""
