"""Deployment: building the package, rehearsing it on this machine, deploying it to AWS.

`finish_package.py`, `finish_package.js` and `routes.js` are used by osls (serverless.yml); the other modules are
what `make package`,
`make lambda`, `make rehearse` and `make deploy` run. Nothing of this is in the package.
"""
