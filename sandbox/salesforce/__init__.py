"""A pretended Salesforce: REST, SOQL, Bulk API 2.0 and Tooling API over records made from the world."""

from sandbox.salesforce.org import Options
from sandbox.salesforce.salesforce import Salesforce
from sandbox.salesforce.session import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD, REFRESH_TOKEN

__all__ = ["ACCESS_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "PASSWORD", "REFRESH_TOKEN", "Options", "Salesforce"]
