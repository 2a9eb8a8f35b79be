metadata description = 'What wakes a person: rules over the log, each named in the runbook of docs/operations.md.'

param namePrefix string
param actionGroupName string
param location string
param tags object
param workspaceResourceId string

@description('Who is told. Empty: the alerts are only listed in the portal.')
param email string

param queueAgeLimitMinutes int
param runLimitMinutes int

// A rule costs by how often it is evaluated: every 15 minutes, but for the one that stops everything.
// The app writes one JSON object a line; dom_core/telemetry/events.py has them all. Tests run each condition over lines
// that the app really wrote.
var events = 'AppTraces | where Message startswith "{" | extend line = parse_json(Message) | extend event = tostring(line.event)'

var rules = [
  {
    name: 'queue-age'
    description: 'The oldest message of a queue waits longer than it should: collecting orders is stuck or too slow.'
    severity: 2
    frequency: 'PT15M'
    query: '${events} | where event == "queue_age" and todouble(line.age_s) > ${queueAgeLimitMinutes * 60}'
  }
  {
    name: 'poison'
    description: 'A message failed five times. It is a dead letter, and nothing comes of it until somebody looks.'
    severity: 2
    frequency: 'PT15M'
    query: 'AppTraces | where Message has "MaxDequeueCount" and Message has "-poison" | union (${events} | where event == "message_poisoned")'
  }
  {
    name: 'run-failed'
    description: 'A run ended without a plan, or its function failed.'
    severity: 1
    frequency: 'PT15M'
    query: 'AppRequests | where OperationName in ("plan_orders", "execute_run") and Success == false | union (${events} | where event == "run_ended" and tostring(line.state) == "failed")'
  }
  {
    name: 'run-too-long'
    description: 'Runs take longer than the time between two of them: orders pile up.'
    severity: 2
    frequency: 'PT15M'
    query: 'AppRequests | where OperationName in ("plan_orders", "execute_run") and DurationMs > ${runLimitMinutes * 60000} | union (${events} | where event == "run_ended" and todouble(line.seconds) > ${runLimitMinutes * 60})'
  }
  {
    name: 'oversold'
    description: 'Stock was found promised twice. Nothing may be applied until somebody has looked.'
    severity: 0
    frequency: 'PT5M'
    query: '${events} | where event == "stock_oversold"'
  }
]

module actionGroup 'br/public:avm/res/insights/action-group:0.8.0' = if (!empty(email)) {
  name: 'action-group'
  params: {
    name: actionGroupName
    groupShortName: 'dom'
    location: 'global'
    tags: tags
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
    enableTelemetry: false
  }
}

module alert 'br/public:avm/res/insights/scheduled-query-rule:0.6.0' = [
  for rule in rules: {
    name: 'alert-${rule.name}'
    params: {
      name: '${namePrefix}-${rule.name}'
      location: location
      tags: tags
      alertDescription: rule.description
      severity: rule.severity
      scopes: [workspaceResourceId]
      evaluationFrequency: rule.frequency
      windowSize: 'PT15M'
      autoMitigate: true
      // The tables appear with the first telemetry, which is after the first provisioning.
      skipQueryValidation: true
      criterias: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroupResourceIds: empty(email) ? [] : [actionGroup!.outputs.resourceId] }
      enableTelemetry: false
    }
  }
]
