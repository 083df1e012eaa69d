// camunda-external-task-client-js, Camunda 7's worker: takes tasks of a topic, completes one, fails one, throws an error from one.
import { BasicAuthInterceptor, Client, Variables } from 'camunda-external-task-client-js';

const { url, token, count } = JSON.parse(process.env.LIANBAN_TEST);
const bearer = (config) => ({ ...config, headers: { ...config.headers, authorization: `Bearer ${token}` } });
const client = new Client({ baseUrl: url, workerId: 'js', maxTasks: 5, asyncResponseTimeout: 5000, interval: 50, interceptors: [bearer] });
const seen = [];
client.subscribe('platform.code', { lockDuration: 60000 }, async ({ task, taskService }) => {
  const number = task.variables.get('number');
  const entry = { number, businessKey: task.businessKey, activity: task.activityId };
  seen.push(entry);
  if (number === 0) {
    await taskService.extendLock(task, 90000);
    await taskService.complete(task, new Variables().set('code', '2022-01').setTyped('detail', { type: 'json', value: { a: [1] } }));
  } else if (number === 1) {
    await taskService.handleFailure(task, { errorMessage: '平台没有应答', errorDetails: 'x', retries: 0, retryTimeout: 0 });
  } else {
    await taskService.handleBpmnError(task, 'REFUSED', '材料不全');
  }
  if (seen.length === count) {
    client.stop();
    console.log(JSON.stringify(seen));
    setTimeout(() => process.exit(0), 200);
  }
});
client.on('poll:error', (error) => { console.error(error); process.exit(1); });
client.on('complete:error', (_task, error) => { console.error(error); process.exit(1); });
