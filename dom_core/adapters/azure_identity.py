"""Who this process is in Azure: its managed identity there, whoever signed in with `az login` on a desk."""

from typing import Any

from dom_core.errors import StoreUnusable


def make_credential() -> Any:
    """A token credential. Raises StoreUnusable where azure-identity is not installed.

    A user-assigned identity is named by AZURE_CLIENT_ID.
    """
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        way_out = "Install it, as requirements.txt does; on this machine's own servers set DOM_COSMOS_KEY and "
        raise StoreUnusable("Azure", "azure-identity is not installed", f"{way_out}AzureWebJobsStorage.") from error
    return DefaultAzureCredential()
