"""How an installation gets to Azure: Bicep files, the package that is deployed, the check after deploying."""
