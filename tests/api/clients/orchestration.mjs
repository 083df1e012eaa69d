// @camunda8/orchestration-cluster-api with strict validation of requests and answers: every answer must fit its own schema.
import createCamundaClient from '@camunda8/orchestration-cluster-api';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const { url, files, worker, waiting, token } = JSON.parse(process.env.LIANBAN_TEST);
const camunda = createCamundaClient({
  config: {
    CAMUNDA_REST_ADDRESS: url, CAMUNDA_AUTH_STRATEGY: 'NONE', CAMUNDA_SDK_VALIDATION: 'req:strict,res:strict', CAMUNDA_SDK_LOG_LEVEL: 'error',
  },
  fetch: (input, init) => {
    const request = new Request(input, init);
    request.headers.set('authorization', `Bearer ${token}`);
    return fetch(request);
  },
});
const now = { consistency: { waitUpToMs: 0 } };
const file = (path) => new File([readFileSync(path)], basename(path));
const log = {};

log.topology = (await camunda.getTopology()).gatewayVersion;
const deployed = await camunda.createDeployment({ resources: [...files, worker, waiting].map(file) });
log.deployed = deployed.deployments.length;
const approval = await camunda.createProcessInstance({ processDefinitionId: 'approval', variables: { amount: 1 } });
const { items: [task] } = await camunda.searchUserTasks({ filter: { processInstanceKey: approval.processInstanceKey } }, now);
log.task = task.name;
await camunda.getUserTask({ userTaskKey: task.userTaskKey }, now);
log.form = (await camunda.getUserTaskForm({ userTaskKey: task.userTaskKey }, now)).formId;
await camunda.assignUserTask({ userTaskKey: task.userTaskKey, assignee: 'li', allowOverride: true });
await camunda.updateUserTask({ userTaskKey: task.userTaskKey, changeset: { priority: 70 } });
await camunda.unassignUserTask({ userTaskKey: task.userTaskKey }).catch((error) => { log.unassign = error.status; });
await camunda.createProcessInstance({ processDefinitionId: 'worker', variables: { number: 7 } });
const { jobs: [job] } = await camunda.activateJobs({ type: 'platform.code', timeout: 60000, maxJobsToActivate: 5, worker: 'js' });
log.job = [job.variables.number, job.customHeaders.platform];
await camunda.updateJob({ jobKey: job.jobKey, changeset: { retries: 4 } });
await camunda.failJob({ jobKey: job.jobKey, retries: 0, errorMessage: '平台没有应答' });
const { items: [incident] } = await camunda.searchIncidents({ filter: { state: 'ACTIVE' } }, now);
log.incident = incident.errorMessage;
await camunda.getIncident({ incidentKey: incident.incidentKey }, now);
await camunda.searchProcessInstanceIncidents({ processInstanceKey: job.processInstanceKey }, now);
await camunda.resolveIncident({ incidentKey: incident.incidentKey });
const { jobs: [again] } = await camunda.activateJobs({ type: 'platform.code', timeout: 60000, maxJobsToActivate: 5, worker: 'js' });
await camunda.completeJob({ jobKey: again.jobKey, variables: { code: '2022-01' } });
const wait = await camunda.createProcessInstance({ processDefinitionId: 'waiting', variables: { project: 'p1' } });
log.subscriptions = (await camunda.searchMessageSubscriptions({ filter: { processInstanceKey: wait.processInstanceKey } }, now)).items.length;
await camunda.publishMessage({ name: '开工报告', correlationKey: 'p9', timeToLive: 60000, variables: {} });
log.correlated = (await camunda.correlateMessage({ name: '开工报告', correlationKey: 'p1' })).processInstanceKey === wait.processInstanceKey;
await camunda.broadcastSignal({ signalName: '放假结束' });
log.instance = (await camunda.getProcessInstance({ processInstanceKey: wait.processInstanceKey }, now)).state;
log.instances = (await camunda.searchProcessInstances({ filter: { state: { $in: ['ACTIVE', 'COMPLETED'] } }, sort: [{ field: 'startDate', order: 'DESC' }], page: { limit: 2 } }, now)).items.length;
log.variables = (await camunda.searchVariables({ filter: { processInstanceKey: approval.processInstanceKey } }, now)).items.map((one) => one.value);
log.elements = (await camunda.searchElementInstances({ filter: { processInstanceKey: wait.processInstanceKey } }, now)).items.map((one) => one.type);
log.statistics = (await camunda.getProcessInstanceStatistics({ processInstanceKey: approval.processInstanceKey }, now)).items.length;
log.flows = (await camunda.getProcessInstanceSequenceFlows({ processInstanceKey: approval.processInstanceKey }, now)).items.length;
log.jobs = (await camunda.searchJobs({ filter: { type: 'platform.code' } }, now)).items.map((one) => one.state);
const { items: [definition] } = await camunda.searchProcessDefinitions({ filter: { processDefinitionId: 'approval', isLatestVersion: true } }, now);
await camunda.getProcessDefinition({ processDefinitionKey: definition.processDefinitionKey }, now);
log.xml = (await camunda.getProcessDefinitionXml({ processDefinitionKey: definition.processDefinitionKey }, now)).includes('立项核准');
log.decision = (await camunda.evaluateDecision({ decisionDefinitionId: 'api_level', variables: { amount: 20000 } })).output;
log.decisions = (await camunda.searchDecisionDefinitions({ filter: {} }, now)).items.length;
log.expression = (await camunda.evaluateExpression({ expression: '=1 + 1' })).result;
log.me = (await camunda.getAuthentication({}, now)).username;
await camunda.createElementInstanceVariables({ elementInstanceKey: approval.processInstanceKey, variables: { amount: 2 } });
const moved = await camunda.createProcessInstance({ processDefinitionId: 'worker', variables: {} });
await camunda.modifyProcessInstance({
  processInstanceKey: moved.processInstanceKey,
  moveInstructions: [{ sourceElementInstruction: { sourceType: 'byId', sourceElementId: 'code' }, targetElementId: 'end_refused' }],
});
log.moved = (await camunda.getProcessInstance({ processInstanceKey: moved.processInstanceKey }, now)).state;
await camunda.cancelProcessInstance({ processInstanceKey: approval.processInstanceKey });
log.cancelled = (await camunda.getProcessInstance({ processInstanceKey: approval.processInstanceKey }, now)).state;
console.log(JSON.stringify(log));
process.exit(0);
