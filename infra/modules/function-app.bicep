metadata description = 'The Flex Consumption plan and the function app, with its settings.'

param appName string
param planName string
param location string
param tags object
param identityResourceId string
param identityClientId string
param insightsConnectionString string

@description('The addresses of the storage account\'s services, with a slash at the end, as the account names them.')
param storageEndpoints object

param deploymentContainerName string
param cosmosEndpoint string
param cosmosDatabaseName string
param instanceMemoryMb int
param maximumInstanceCount int
param httpConcurrency int
param planSchedule string
param outboxSchedule string
param cleanupSchedule string
param requestsAtOnce int
param watchSchedule string
param leaseSeconds int
param planExpiryHours int
param planRetentionDays int
param deadLetterRetentionDays int
param maxBodyBytes int
param requestsPerMinute int
param planTasksAboveLines int
param geocoder string
param solver string
param nominatimUrl string
param distances string
param osrmUrl string
param valhallaUrl string
param roadProfile string
param roadWithinKm int
param roadCircuityPercent int
param roadCells int
param roadCacheDays int

@description('A key vault reference, or nothing. Never the key.')
param azureMapsKey string

@description('Where assignments are posted too, or nothing. It may hold a key of the receiver.')
@secure()
param webhookUrl string

@description('A key vault reference, or nothing. Never the secret.')
param webhookSecret string

param entraClientId string

// Compared with dom_core/settings.py and the README by tests/infra/test_settings.py.
var domSettings = {
  DOM_AUTH: empty(entraClientId) ? 'keys' : 'entra'
  DOM_STORE: 'azure'
  DOM_COSMOS_ENDPOINT: cosmosEndpoint
  DOM_COSMOS_DATABASE: cosmosDatabaseName
  DOM_ORDERS_QUEUE: 'orders'
  DOM_RUNS_QUEUE: 'plan-runs'
  DOM_ASSIGNMENTS_QUEUE: 'assignments'
  DOM_WEBHOOKS_QUEUE: 'webhooks'
  DOM_PLAN_TASKS_QUEUE: 'plan-tasks'
  DOM_PLAN_TASKS_ABOVE_LINES: string(planTasksAboveLines)
  DOM_OUTBOX_SCHEDULE: outboxSchedule
  DOM_WEBHOOK_URL: webhookUrl
  DOM_WEBHOOK_SECRET: webhookSecret
  DOM_PLAN_SCHEDULE: planSchedule
  DOM_CLEANUP_SCHEDULE: cleanupSchedule
  DOM_WATCH_SCHEDULE: watchSchedule
  DOM_TELEMETRY: 'azure_monitor'
  DOM_SOLVER: solver
  DOM_GEOCODER: geocoder
  DOM_NOMINATIM_URL: nominatimUrl
  DOM_AZURE_MAPS_KEY: azureMapsKey
  DOM_REQUESTS_AT_ONCE: string(requestsAtOnce)
  DOM_DISTANCES: distances
  DOM_OSRM_URL: osrmUrl
  DOM_VALHALLA_URL: valhallaUrl
  DOM_ROAD_PROFILE: roadProfile
  DOM_ROAD_WITHIN_KM: string(roadWithinKm)
  DOM_ROAD_CIRCUITY_PERCENT: string(roadCircuityPercent)
  DOM_ROAD_CELLS: string(roadCells)
  DOM_ROAD_CACHE_DAYS: string(roadCacheDays)
  DOM_LEASE_S: string(leaseSeconds)
  DOM_PLAN_EXPIRY_H: string(planExpiryHours)
  DOM_PLAN_RETENTION_DAYS: string(planRetentionDays)
  DOM_DEADLETTER_RETENTION_DAYS: string(deadLetterRetentionDays)
  DOM_MAX_BODY_BYTES: string(maxBodyBytes)
  DOM_REQUESTS_PER_MINUTE: string(requestsPerMinute)
}

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The exporter would tell Microsoft about itself: how much it sends, and how often that fails.
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  // Which identity azure-identity takes: there is no system-assigned one.
  AZURE_CLIENT_ID: identityClientId
}

var appSettings = [
  {
    name: 'appsettings'
    properties: union(domSettings, hostSettings)
  }
]

// Easy Auth checks the token before the app sees the request; what the caller may do, the app decides.
var authSettings = empty(entraClientId) ? [] : [
  {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        excludedPaths: ['/api/health']
      }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: entraClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}'] }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
]

module plan 'br/public:avm/res/web/serverfarm:0.7.0' = {
  name: 'plan'
  params: {
    name: planName
    location: location
    tags: tags
    skuName: 'FC1'
    reserved: true
    zoneRedundant: false
    enableTelemetry: false
  }
}

module site 'br/public:avm/res/web/site:0.22.0' = {
  name: 'site'
  params: {
    name: appName
    location: location
    // azd finds the app by this tag; the name is that of the service in azure.yaml.
    tags: union(tags, { 'azd-service-name': 'dom' })
    kind: 'functionapp,linux'
    serverFarmResourceId: plan.outputs.resourceId
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    managedIdentities: { userAssignedResourceIds: [identityResourceId] }
    keyVaultAccessIdentityResourceId: identityResourceId
    basicPublishingCredentialsPolicies: [
      {
        name: 'ftp'
        allow: false
      }
      {
        name: 'scm'
        allow: false
      }
    ]
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageEndpoints.blob}${deploymentContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityResourceId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        alwaysReady: []
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: maximumInstanceCount
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: {
      alwaysOn: false
      http20Enabled: true
      minTlsVersion: '1.2'
    }
    configs: concat(appSettings, authSettings)
    enableTelemetry: false
  }
}

output name string = site.outputs.name
output hostName string = site.outputs.defaultHostname
